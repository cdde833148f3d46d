/** @module The first script of the page: it unpacks the other one, which the policy allows by its hash. */

async function begin(): Promise<void> {
  const packed = atob(document.getElementById('syndrome')?.textContent ?? '');
  const bytes = Uint8Array.from(packed, c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.body.append(script);
  script.remove();
}
void begin();
