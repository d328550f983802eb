// The ES module face of the package. It holds nothing of its own: `import` and `require` reach the
// same instance, whichever comes first.
import commonjs from './index.js';

export * from './index.js';

const webSocket: typeof commonjs.default = commonjs.default;
export default webSocket;
