/** What received texts are reduced to where the profile says so. Leaf. */

/** A text as netstack delivers it: as a C string (C32). */
export function textBeforeNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
