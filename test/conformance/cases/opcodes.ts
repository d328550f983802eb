/** Opcodes that mean nothing (RFC 6455 §5.2; Autobahn 4). */

import { type Case, fails, getsText, ping, sends, sendsCut, text } from '../table.js';

const HELLO = 'Hello, world!';

/** Autobahn has the same five for 3 to 7 and for 11 to 15. */
function five(area: string, first: number): readonly Case[] {
  const unknown = (n: number, payload = '') => ({ opcode: first + n, payload });
  return [
    {
      id: `${area}.1`,
      rfc: '5.2',
      title: `opcode ${first}`,
      steps: () => [sends(unknown(0)), fails(1002)],
    },
    {
      id: `${area}.2`,
      rfc: '5.2',
      title: `opcode ${first + 1} with a payload`,
      steps: () => [sends(unknown(1, 'reserved opcode payload')), fails(1002)],
    },
    {
      id: `${area}.3`,
      rfc: '5.2',
      title: `a text, which is echoed; opcode ${first + 2}; a ping`,
      steps: () => [sends(text(HELLO), unknown(2), ping()), getsText(HELLO), fails(1002)],
    },
    {
      id: `${area}.4`,
      rfc: '5.2',
      title: `a text, which is echoed; opcode ${first + 3} with a payload; a ping`,
      steps: () => [
        sends(text(HELLO), unknown(3, 'reserved opcode payload'), ping()),
        getsText(HELLO),
        fails(1002),
      ],
    },
    {
      id: `${area}.5`,
      rfc: '5.2',
      title: `a text, which is echoed; opcode ${first + 4} with a payload; a ping; a byte at a time`,
      steps: () => [
        sendsCut(1, text(HELLO), unknown(4, 'reserved opcode payload'), ping()),
        getsText(HELLO),
        fails(1002),
      ],
    },
  ];
}

export const opcodes: readonly Case[] = [...five('4.1', 3), ...five('4.2', 11)];
