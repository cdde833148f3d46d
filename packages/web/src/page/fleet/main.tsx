/** @module Where the page of a fleet begins. */
import '../style.css';
import './fleet.css';
import '@preact/signals';
import { render } from 'preact';
import { ThemeModel } from '../theme.ts';
import { FleetApp } from './app.tsx';
import { FleetModel } from './model.ts';

const root = document.getElementById('app');
if (root) render(<FleetApp model={new FleetModel()} theme={new ThemeModel()} />, root);
