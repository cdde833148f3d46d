/** @module Plain data as elements. */
import { createElement, type VNode } from 'preact';
import type { Tag } from '../view/masthead.ts';

/** The element that a tag describes, with everything in it. */
export const elementOf = ([name, attributes, ...inner]: Tag): VNode =>
  createElement(name, attributes, ...inner.map(one => (typeof one === 'string' ? one : elementOf(one))));
