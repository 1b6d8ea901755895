/** Which modules a session hears: of the form of a new one, and of one that runs. Pure. */

export interface ModulesDraft {
  isOn: boolean;
  /** Names between commas or spaces; empty: all of the tenant. */
  names: string;
}

export interface ModulesIn {
  is_on: boolean;
  names: string[];
}

export const ALL_MODULES: ModulesDraft = { isOn: true, names: '' };
export const MOST_NAMES = 16;

export type ModulesFault = 'modules_wrong' | 'modules_many';

/** What is wrong with the names; null for nothing. What is off cannot be wrong. */
export function modulesFault({ isOn, names }: ModulesDraft): ModulesFault | null {
  if (!isOn) return null;
  const given = moduleNames(names);
  if (given.length > MOST_NAMES) return 'modules_many';
  return given.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name)) ? null : 'modules_wrong';
}

/** As the API takes it. Names that do not count while modules are off are not sent. */
export function modulesIn(draft: ModulesDraft): ModulesIn {
  return { is_on: draft.isOn, names: draft.isOn ? moduleNames(draft.names) : [] };
}

/** As the form shows what the API tells. */
export function modulesDraft(modules: { is_on: boolean; names: readonly string[] }): ModulesDraft {
  return { isOn: modules.is_on, names: modules.names.join(', ') };
}

function moduleNames(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
}
