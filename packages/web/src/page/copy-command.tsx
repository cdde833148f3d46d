/** @module A command, and a button that copies it. */

export function CopyCommand({ command, copy }: { command: string; copy: (command: string) => void }) {
  return (
    <span class="command">
      <code>{command}</code>
      <button type="button" class="button" aria-label={`Copy ${command}`} onClick={() => copy(command)}>
        copy
      </button>
    </span>
  );
}
