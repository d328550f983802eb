const smoke = require('./smoke.cjs');

smoke(require('ohos-websocket')).then(() => smoke(require('ohos-websocket/parity')));
