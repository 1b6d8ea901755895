/** The API's own types, under the names that the pages use. */

import type { components } from '../../lib/api/schema';

/** The body of a new session. What is left out of it has a default. */
export type NewSession = components['schemas']['SessionIn'];
export type Detail = components['schemas']['SessionDetail'];
