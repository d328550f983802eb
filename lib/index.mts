// The ES module face of the package. It holds nothing of its own: `import` and `require` reach the
// same instance, whichever comes first.

export * from './index.js';
export { webSocket as default } from './index.js';
