// Who may import whom in lib/ and bin/; `npm run lint` checks it. (native/src: scripts/check-layers.mjs.)

/** The way to the native module, behind transport.ts. */
const engine =
  '^lib/(binding|binding-places|engine|engine-answers|engine-connection|engine-listener|engine-requests|engine-writer|engines|message-views|records|ring|threaded-listener)\\.ts$';
/** Where an endpoint is given its transport, and what asks the module about itself. */
const mayNameEngine = '^lib/(documented|netstack|compression|versions|w3c/web-socket)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Types may refer to one another; what is loaded may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'engine-behind-transport',
      comment: 'The API knows ids and the interface in transport.ts, not rings.',
      severity: 'error',
      from: { path: '^lib/', pathNot: [engine, mayNameEngine] },
      to: { path: engine },
    },
    {
      name: 'native-module-in-one-place',
      severity: 'error',
      from: { pathNot: '^lib/(engine|engine-writer|compression|versions)\\.ts$' },
      to: { path: '^lib/binding\\.ts$' },
    },
    {
      name: 'engine-knows-no-api',
      severity: 'error',
      from: { path: engine },
      to: {
        path: '^lib/',
        pathNot: [
          engine,
          '^lib/(bytes|deflate|errno|later|limits|publish-queue|send-queue|server-stats|server-stop|transport)\\.ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'w3c-beside-the-api',
      comment: "The standard's WebSocket stands on the transport, not on OpenHarmony's API.",
      severity: 'error',
      from: { path: '^lib/w3c/' },
      to: { path: '^lib/(web-socket|client-connection|client-events|server-|state|completion)' },
    },
    {
      name: 'cluster-apart',
      comment: 'The cluster knows neither transport nor API.',
      severity: 'error',
      from: { path: '^lib/cluster/' },
      to: { path: '^lib/', pathNot: '^lib/(cluster/|listeners\\.ts|validate\\.ts)' },
    },
    {
      name: 'kits-from-outside',
      comment: 'The kits give the modules other names.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(kits/|register)' },
      to: { path: '^lib/kits/' },
    },
    {
      name: 'dependencies-of-the-package',
      comment:
        'Beside Node.js there are node-gyp-build, redis where the cluster is used, and prom-client where its page is.',
      severity: 'error',
      from: { path: '^(lib|bin)/' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(node-gyp-build|redis|prom-client)/' },
    },
    {
      name: 'redis-in-the-cluster',
      severity: 'error',
      from: { pathNot: '^lib/cluster/' },
      to: { path: 'node_modules/redis/' },
    },
    {
      name: 'prom-client-in-one-place',
      severity: 'error',
      from: { pathNot: '^lib/prometheus\\.ts$' },
      to: { path: 'node_modules/prom-client/' },
    },
    {
      name: 'lib-alone',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(test|bin|scripts|bench|examples)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
