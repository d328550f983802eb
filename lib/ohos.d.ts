/**
 * The types of the platform's modules, for `"types": ["ohos-websocket/ohos"]` in a tsconfig or
 * `/// <reference types="ohos-websocket/ohos" />` in a file. No values: at run time the register
 * hook or an alias of the bundler leads to them.
 */

declare module '@kit.NetworkKit' {
  export * from 'ohos-websocket/@kit.NetworkKit';
}

declare module '@kit.BasicServicesKit' {
  export * from 'ohos-websocket/@kit.BasicServicesKit';
}

declare module '@ohos.net.webSocket' {
  export * from 'ohos-websocket/@ohos.net.webSocket';
  export { default } from 'ohos-websocket/@ohos.net.webSocket';
}

declare module '@ohos.base' {
  export * from 'ohos-websocket/@ohos.base';
}
