/** @module How it stands with a stream of the server, in words: what is stale says since when. */
import { useEffect, useState } from 'preact/hooks';
import { ageWords } from '../view/listing.ts';
import type { ServerStream } from './server-stream.ts';

/** @param lost what to do where the server lets nobody in again */
export function StreamWords({
  stream,
  lost = 'open the link of a syndrome web that runs',
}: {
  stream: ServerStream | undefined;
  lost?: string;
}) {
  const [, tick] = useState(0);
  const state = stream?.state.value;
  useEffect(() => {
    if (state !== 'stale' && state !== 'lost') return undefined;
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, [state]);
  if (!stream || state === undefined) return null;
  if (state === 'live') return <span class="muted">live</span>;
  if (state === 'opening') return <span class="muted">connecting</span>;
  return (
    <b class="stale-words" role="status">
      stale: the server was last heard {ageWords(Date.now() - stream.heard.value)} ago
      {state === 'lost' ? `; ${lost}` : ', trying again'}
    </b>
  );
}
