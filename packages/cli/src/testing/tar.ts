/** @module Makes tars, also such as nobody should make. */

export interface TarFile {
  path: string;
  content?: string | Uint8Array;
  /** As in the header: `0` a file, `2` a symbolic link, `5` a folder. */
  type?: string;
  linkName?: string;
  /** What the header says instead of the length. */
  size?: number;
}

const field = (block: Buffer, at: number, text: string): number => block.write(text, at, 'latin1');

export function tarBlock({ path, content = '', type = '0', linkName = '', size }: TarFile): Buffer {
  const bytes = Buffer.from(content);
  const block = Buffer.alloc(512);
  field(block, 0, path.slice(0, 100));
  field(block, 100, '0000644\0');
  field(block, 124, `${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`);
  field(block, 136, '00000000000\0');
  field(block, 156, type);
  field(block, 157, linkName);
  field(block, 257, 'ustar\x0000');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((a, b) => a + b, 0);
  field(block, 148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A whole archive; names of more than 100 characters as GNU tar writes them. */
export function makeTar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(file =>
    file.path.length > 100
      ? [tarBlock({ path: '././@LongLink', type: 'L', content: `${file.path}\0` }), tarBlock(file)]
      : [tarBlock(file)],
  );
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
