// The ES module face of `basic-services-kit.ts`.

export * from './basic-services-kit.js';
