/**
 * Runs in every tab: sockets of the browser, by number. All that arrives is kept until it is asked for.
 */

(() => {
  const sockets = [];

  class Kept {
    #arrived = [];
    #waiting = [];

    constructor(url, protocols) {
      this.socket = new WebSocket(url, protocols);
      this.socket.binaryType = 'arraybuffer';
      this.socket.onmessage = ({ data }) => {
        const waiting = this.#waiting.shift();
        if (waiting) waiting.resolve(data);
        else this.#arrived.push(data);
      };
      this.closed = new Promise((resolve) => {
        this.socket.onclose = ({ code, reason, wasClean }) => {
          const end = { code, reason, wasClean };
          for (const { reject } of this.#waiting) reject(new Error(`closed: ${code} ${reason}`));
          resolve(end);
        };
      });
      this.opened = new Promise((resolve) => {
        this.socket.onopen = () => resolve(undefined);
      });
    }

    next() {
      if (this.#arrived.length > 0) return Promise.resolve(this.#arrived.shift());
      return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    }
  }

  /** Bytes that repeat after 251, which is no divisor of any buffer's size. */
  const pattern = (size) => Uint8Array.from({ length: size }, (_, n) => n % 251);

  const same = (data, bytes) => {
    const got = new Uint8Array(data);
    return got.length === bytes.length && got.every((byte, n) => byte === bytes[n]);
  };

  globalThis.peer = {
    /** What became of a connect: the number of an open socket, or how it ended. */
    async open(url, protocols = []) {
      const kept = new Kept(url, protocols);
      const end = await Promise.race([kept.opened, kept.closed]);
      if (end) return end;
      const { extensions, protocol } = kept.socket;
      return { id: sockets.push(kept) - 1, extensions, protocol };
    },

    /** Sends texts, all at once; answers those that come back. */
    echoTexts(id, texts) {
      for (const text of texts) sockets[id].socket.send(text);
      return Promise.all(texts.map(() => sockets[id].next()));
    },

    /** Sends the pattern in these sizes, as `ArrayBuffer`, view or `Blob`; answers which came back as they were. */
    async echoBytes(id, sizes, form) {
      const all = sizes.map(pattern);
      for (const bytes of all) {
        if (form === 'ArrayBuffer') sockets[id].socket.send(bytes.buffer);
        else if (form === 'view') sockets[id].socket.send(bytes);
        else sockets[id].socket.send(new Blob([bytes]));
      }
      const back = await Promise.all(all.map(() => sockets[id].next()));
      return back.map((data, n) => data instanceof ArrayBuffer && same(data, all[n]));
    },

    /** Closes; answers the close event. */
    close(id, ...args) {
      sockets[id].socket.close(...args);
      return sockets[id].closed;
    },

    /** The close event. */
    closed: (id) => sockets[id].closed,

    /** So many sockets, and so many messages each, which have to come back in order; answers how many did. */
    async crowd(url, count, messages) {
      const crowd = Array.from({ length: count }, () => new Kept(url, []));
      await Promise.all(crowd.map(({ opened }) => opened));
      const counts = await Promise.all(
        crowd.map(async (kept, n) => {
          for (let m = 0; m < messages; m++) kept.socket.send(`${n} ${m}`);
          let right = 0;
          for (let m = 0; m < messages; m++) if ((await kept.next()) === `${n} ${m}`) right++;
          return right;
        }),
      );
      return counts.reduce((sum, right) => sum + right, 0);
    },
  };
})();
