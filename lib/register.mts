// The ES module face of `register.ts`.

import './register.js';
