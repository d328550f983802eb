// The ES module face of `net-web-socket.ts`.

export * from './web-socket.js';
export * as default from './web-socket.js';
