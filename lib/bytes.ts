/**
 * The bytes that an application gives, as they are: what properties of its own on a view say (`length`, `buffer`)
 * does not count.
 */
import { types } from 'node:util';

const viewOf = {
  typedArray: gettersOf(Object.getPrototypeOf(Uint8Array.prototype)),
  dataView: gettersOf(DataView.prototype),
};

function gettersOf(prototype: object) {
  const getter = (property: string) =>
    Object.getOwnPropertyDescriptor(prototype, property)?.get as () => unknown;
  return {
    buffer: getter('buffer') as (this: object) => ArrayBuffer | SharedArrayBuffer,
    byteOffset: getter('byteOffset') as (this: object) => number,
    byteLength: getter('byteLength') as (this: object) => number,
  };
}

const byteLength = viewOf.typedArray.byteLength;

/** How many bytes there are. */
export function lengthOf(bytes: Uint8Array): number {
  return byteLength.call(bytes);
}

const { set } = Uint8Array.prototype;

/** Copies `from` to `to`, from `offset` on. Compiled, a look for the method in the object is a call of its own. */
export function copyTo(to: Uint8Array, from: Uint8Array, offset: number): void {
  set.call(to, from, offset);
}

/** What is given, as bytes, without a copy. */
export function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  // A view of its own costs more than a short message; but what there is may come from another realm (node:vm).
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data) ? plainView(data) : new Uint8Array(data);
}

/** The same bytes, for the border, which asks an object for its buffer. Shared memory cannot cross: it is copied. */
export function forNative(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const plain = plainView(bytes);
  return types.isSharedArrayBuffer(plain.buffer)
    ? new Uint8Array(plain)
    : (plain as Uint8Array<ArrayBuffer>);
}

function plainView(view: ArrayBufferView): Uint8Array {
  const of = types.isDataView(view) ? viewOf.dataView : viewOf.typedArray;
  return new Uint8Array(of.buffer.call(view), of.byteOffset.call(view), of.byteLength.call(view));
}
