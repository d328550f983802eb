// The entry of bundles and of the single executable application.
require('./smoke.cjs')(require('ohos-websocket'));
