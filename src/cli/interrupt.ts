let received: NodeJS.Signals | undefined;

/** The signal that ended the work, if one did. */
export function interruptedBy(): NodeJS.Signals | undefined {
  return received;
}

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the program at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (received) process.exit(130);
    received = signal;
    process.stderr.write(`\nsyndrome: ${signal}, cleaning up\n`);
    controller.abort(new DOMException('interrupted', 'AbortError'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}
