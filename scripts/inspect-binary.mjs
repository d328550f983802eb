// What an ELF addon asks of the system it is loaded on, and what is wrong with that. Needs readelf (binutils), which
// reads every architecture.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';

/** The oldest C library that a prebuilt binary has to load with: Debian 10, RHEL 8. */
export const GLIBC_CEILING = '2.28';

const allowedLibraries =
  /^(libc|libm|libpthread|libdl|librt|libc\.musl-\w+|ld-linux-[\w-]+)\.so(\.\d+)?$/;
const allowedExports = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

function readelf(...args) {
  return execFileSync('readelf', ['-W', ...args], { encoding: 'utf8', maxBuffer: 64 << 20 });
}

function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * `facts`: bytes, needed libraries, exported symbols, undefined symbols (but for weak ones), the highest version of a
 * glibc symbol (`''` if there is none). `faults`: a line for each thing that a prebuilt binary must not have.
 */
export function inspectBinary(file) {
  const dynamic = readelf('--dynamic', file);
  const symbols = readelf('--dyn-syms', file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => /^\d+:$/.test(fields[0]) && fields.length >= 8)
    .map(([, , , , binding, , section, name]) => ({ binding, section, name }));
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
  const exported = symbols
    .filter(({ section }) => section !== 'UND')
    .map(({ name }) => name.split('@')[0]);
  const undefinedOnes = symbols
    .filter(({ binding, section }) => section === 'UND' && binding !== 'WEAK')
    .map(({ name }) => name);
  const glibc = undefinedOnes.flatMap((name) => /@GLIBC_([\d.]+)/.exec(name)?.[1] ?? []);
  const highestGlibc = glibc.sort(compareVersions).at(-1) ?? '';

  const faults = [];
  for (const library of needed.filter((name) => !allowedLibraries.test(name))) {
    faults.push(`needs ${library}`);
  }
  for (const name of exported.filter((symbol) => !allowedExports.includes(symbol))) {
    faults.push(`exports ${name}`);
  }
  if (!exported.includes('napi_register_module_v1')) faults.push('exports no Node-API entry');
  if (highestGlibc !== '' && compareVersions(highestGlibc, GLIBC_CEILING) > 0) {
    const late = undefinedOnes.filter((name) => name.includes(`@GLIBC_${highestGlibc}`));
    faults.push(
      `needs glibc ${highestGlibc} for ${late.join(', ')}; ${GLIBC_CEILING} is the highest`,
    );
  }
  const ofRuntime = undefinedOnes.filter((name) => /@(GLIBCXX|CXXABI|GCC)_/.test(name));
  if (ofRuntime.length > 0) faults.push(`needs a C++ runtime for ${ofRuntime.length} symbols`);
  // Room for it is scarce in a process that is already running; musl refuses it.
  if (/\(FLAGS\).*STATIC_TLS/.test(dynamic)) faults.push('needs static thread-local storage');
  if (/\((RPATH|RUNPATH)\)/.test(dynamic)) faults.push('has a run path');
  if (!/GNU_STACK.* RW /.test(readelf('--program-headers', file)))
    faults.push('has an executable stack');

  return {
    facts: { bytes: statSync(file).size, needed, exported, undefined: undefinedOnes, highestGlibc },
    faults,
  };
}
