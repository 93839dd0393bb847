// A refused payload as somebody can read it: text where it is text, else hex.

export interface Payload {
  text: string;
  bytes: number;
}

/** Takes base64. What is no UTF-8, or holds control characters, is shown as hex. */
export function readable(base64: string): Payload {
  let raw: string;
  try {
    raw = atob(base64);
  } catch {
    return { text: base64, bytes: base64.length };
  }
  const bytes = Uint8Array.from(raw, (c) => c.charCodeAt(0));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!/[\u0000-\u0008\u000e-\u001f]/.test(text)) return { text, bytes: bytes.length };
  } catch {
    // no UTF-8
  }
  return { text: Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' '), bytes: bytes.length };
}
