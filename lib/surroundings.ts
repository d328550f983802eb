/** What the objects of one module share, handed to each when it is made. */

import type { Platform } from './platform.js';
import type { Profile } from './profile.js';
import type { Settings } from './settings.js';
import type { Transport } from './transport.js';

export interface Surroundings {
  readonly profile: Profile;
  readonly transport: Transport;
  readonly platform: Platform;
  readonly settings: Settings;
}
