/** What is wrong with sessions, from what each role says of them. Pure. */

export interface Fault {
  session: string;
  name: string;
  role: string;
  state: string;
  detail: string;
}

const WELL = new Set(['watching', 'deciding', 'coding', 'ended', '']);

/** The faults of one session: every role that has more to say than that it works. */
export function faultsOf(session: string, name: string, status: Readonly<Record<string, unknown>>): Fault[] {
  const faults: Fault[] = [];
  for (const [role, said] of Object.entries(status)) {
    if (typeof said !== 'object' || said === null) continue;
    const fields = said as Record<string, unknown>;
    const state = text(fields.state);
    const detail = text(fields.detail);
    if (fields.fault || !WELL.has(state)) faults.push({ session, name, role, state, detail });
  }
  return faults;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
