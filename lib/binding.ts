/**
 * Loads the native module, checks that it belongs to this JavaScript, and explains a failure: what was
 * tried and what to do. The only file that touches the `.node`.
 */
import type * as Binding from '../binding.js';
import { type Place, places, runtimeRequire, type TlsOf } from './binding-places.js';
import { WIRE_VERSION } from './records.js';

export type NativeBinding = typeof Binding;

interface Failure {
  readonly place: string;
  readonly reason: string;
}

interface Loaded {
  readonly binding: NativeBinding;
  /** Path of the file. */
  readonly file: string;
  readonly tls: TlsOf;
}

/** What to do about what a loader says. */
const advices: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /platform=win32.*bundled-tls|initialization routine failed/,
    'On Windows it needs the OpenSSL of the Node.js executable: Bun, Deno and Electron export none.',
  ],
  [
    /No native build was found|of another package/,
    'If a bundler packed this code, leave `ohos-websocket` external, or copy its folder `prebuilds` beside ' +
      'the bundle. If it was installed on another platform, install it on this one. On musl other than ' +
      'Alpine set LIBC=musl.',
  ],
  [
    /GLIBC_[\d.]+'? not found/,
    'The C library of this system is older than glibc 2.28, the oldest that the prebuilt binaries load with.',
  ],
  [
    /invalid ELF header|file too short|wrong ELF class|mach-o|not a valid Win32|ld-linux|ld-musl|Exec format/,
    'The file is for another platform, processor or C library: install the package on this one.',
  ],
  [/another version/, 'Remove node_modules/ohos-websocket and install it again.'],
  [
    /ERR_DLOPEN_DISABLED|allow-ffi|--allow-addons/,
    'Native addons are not allowed here: allow them.',
  ],
];

function explain(failures: readonly Failure[]): Error {
  const { platform, arch, version, versions } = process;
  const runtime = versions.bun ? `Bun ${versions.bun}, as ` : '';
  const tried = failures.map(({ place, reason }) => `  - ${place}: ${reason}`);
  // The first place is the one that was meant.
  const fitting = advices.filter(([pattern]) => pattern.test(failures[0]?.reason ?? ''));
  const todo = [
    ...fitting.map(([, advice]) => advice),
    'Build it from a checkout of the sources (`npm ci`) and name the file in OHWS_BINDING. ' +
      '`npx ohos-websocket doctor` tells more.',
  ];
  return new Error(
    `ohos-websocket has no native module that loads here (${platform} ${arch}, ${runtime}Node.js ` +
      `${version}).\nTried:\n${tried.join('\n')}\nWhat to do:\n${todo.map((line) => `  - ${line}`).join('\n')}`,
  );
}

function loadFrom(place: Place): Loaded {
  const file = place.find();
  const binding = runtimeRequire(file) as NativeBinding;
  if (binding.wireVersion !== WIRE_VERSION) {
    throw new Error(
      `${file} is of another version: it speaks ${binding.wireVersion} instead of ${WIRE_VERSION}`,
    );
  }
  return { binding, file, tls: place.tls };
}

function load(): Loaded {
  const failures: Failure[] = [];
  for (const place of places()) {
    try {
      return loadFrom(place);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ place: place.name, reason: reason.trim().replaceAll(/\s*\n\s*/g, ', ') });
    }
  }
  throw explain(failures);
}

/** Code of the process warning about a libwebsockets without all of our mends (docs/errors.md). */
const UNMENDED = 'OHWS_UNMENDED_LIBWEBSOCKETS';

/** Once for each thread that loads it: whoever runs this has to know, whatever the program does. */
function warnOfMissingPatches({ missingPatches }: NativeBinding): void {
  if (missingPatches === '') return;
  process.emitWarning(
    `This libwebsockets lacks mends of ohos-websocket: ${missingPatches}. Peers can do harm.`,
    { code: UNMENDED, detail: 'What each mends: native/patches of the sources.' },
  );
}

/** What was loaded and from where. */
export const loaded: Loaded = load();
warnOfMissingPatches(loaded.binding);
export const binding: NativeBinding = loaded.binding;
