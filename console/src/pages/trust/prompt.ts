/** What the engine was asked for one turn. A picture stands there by reference: the engine has its pixels already. */

import type { components } from '../../lib/api/schema';

export type Prompt = components['schemas']['PromptOut'];
export type Message = components['schemas']['MessageOut'];

export interface Counts {
  readonly messages: number;
  readonly pictures: number;
  readonly characters: number;
}

export function counts(messages: readonly Message[]): Counts {
  const parts = messages.flatMap((message) => message.parts);
  return {
    messages: messages.length,
    pictures: parts.filter((part) => part.type === 'image').length,
    characters: parts.reduce((total, part) => total + (part.type === 'text' ? part.text.length : 0), 0),
  };
}

/** The prompt as JSON for a report: all parts as they are, pictures by reference. */
export function asJson(prompt: Prompt): string {
  return JSON.stringify(prompt, null, 2);
}
