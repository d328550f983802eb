// The ES module face of `cluster.ts`. It holds nothing of its own: `import` and `require` reach the same
// instance, whichever comes first.

export * from './cluster.js';
