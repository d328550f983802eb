// The ES module face of `w3c.ts`. It holds nothing of its own: `import` and `require` reach the same
// instance, whichever comes first.

export * from './w3c.js';
