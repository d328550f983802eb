// The ES module face of `network-kit.ts`.

export * from './network-kit.js';
