// The ES module face of `prometheus.ts`. It holds nothing of its own: `import` and `require` reach the same
// instance, whichever comes first.

export * from './prometheus.js';
