// The ES module face of `parity.ts`. It holds nothing of its own: `import` and `require` reach the
// same instance, whichever comes first.

export * from './parity.js';
export { webSocket as default } from './parity.js';
