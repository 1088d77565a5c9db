import type { Invariant } from './simulation/judge.js'
import type { LockKind } from './simulation/lock.js'
import type { Rotation } from './simulation/authorization-server.js'
import type { WorldName } from './simulation/worlds.js'

/** A rule of the engine switched off: which text of which file it is, and the property that must see it. */
export interface Mutation {
  readonly rule: string
  readonly file: string
  readonly text: string
  readonly replacement: string
  readonly property: Invariant
  readonly world: WorldName
  readonly server?: Rotation
  readonly lock?: LockKind
}

const renewal = 'engine/renewal.ts'
const answers = 'engine/answers-in-hand.ts'
const keeper = 'engine/record-keeper.ts'
const decide = 'core/decide.ts'
const transitions = 'core/transitions.ts'
const source = 'token-source.ts'

export const mutations: readonly Mutation[] = [
  {
    rule: 'F1 a write that finds another version reads again: the answer is not lost',
    file: answers,
    text: '      seen = { version, record }\n',
    replacement: '      return undefined\n',
    property: 'I8',
    world: 'answer in up to 3 deadlines',
  },
  {
    rule: 'who finds a mark sends nothing',
    file: renewal,
    text: 'if (mark !== undefined && !deadMarksOnly && !isDead(mark)) {',
    replacement: 'if (mark === null) {',
    property: 'I2',
    world: 'calm',
    lock: 'none',
  },
  {
    rule: 'F2 a mark is watched for a whole patience',
    file: renewal,
    text: 'records.watched(mark.by) >= patience',
    replacement: 'records.watched(mark.by) >= patience / 4',
    property: 'I2',
    world: 'answer in up to 3 deadlines',
    lock: 'none',
  },
  {
    rule: 'F3 who slept between mark and request sends nothing',
    file: renewal,
    text: 'if (late || answers.isInHand()) {',
    replacement: 'if (answers.isInHand()) {',
    property: 'I1',
    world: 'SIGSTOP',
    lock: 'none',
  },
  {
    rule: 'F3 the wall clock is asked too, for the monotonic one stands still in sleep',
    file: renewal,
    text: 'Math.max(clock.monotonic() - started.monotonic, clock.now() - started.wall) > markToRequest',
    replacement: 'clock.monotonic() - started.monotonic > markToRequest',
    property: 'I1',
    world: 'sleep',
    lock: 'none',
  },
  {
    rule: 'F3 everything slow is made ready before the mark',
    file: renewal,
    text: '    // From here to the request nothing is awaited.\n',
    replacement: '    await parts.prepare(record, wanted)\n',
    property: 'I1',
    world: 'SIGSTOP',
    lock: 'none',
  },
  {
    rule: 'F4 the deadline ends the waiting, not the request',
    file: renewal,
    text: 'late.ok ? answers.keep(sent, late.answer) : undefined',
    replacement: 'void late',
    property: 'I8',
    world: 'answer in up to 3 deadlines',
  },
  {
    rule: 'F4 after the deadline nobody sends for two more',
    file: renewal,
    text: 'backOff(sent.marked, error, 2 * deadline + 3_000,',
    replacement: 'backOff(sent.marked, error, 1_000,',
    property: 'I3',
    world: 'answer in up to 3 deadlines',
    server: 'strict',
  },
  {
    rule: 'F5 an unreadable answer leaves a doubt',
    file: renewal,
    text: 'unclear: failed.surelyNotDone ? current.unclear : sent.own.generation',
    replacement: 'unclear: current.unclear',
    property: 'I5',
    world: '503 after the rotation',
    server: 'strict',
  },
  {
    rule: 'F5 a dead sender leaves a doubt',
    file: renewal,
    text: 'unclear: record.sending === undefined ? record.unclear : record.generation',
    replacement: 'unclear: record.unclear',
    property: 'I5',
    world: 'death',
    server: 'strict',
  },
  {
    rule: 'F5 a timeout leaves a doubt',
    file: renewal,
    text: 'changed(withoutMark(current, sent.own.by), { unclear: sent.own.generation }),',
    replacement: 'withoutMark(current, sent.own.by),',
    property: 'I5',
    world: 'answer in up to 5 deadlines',
    server: 'strict',
  },
  {
    rule: 'F5 the doubt holds for the next generation too',
    file: renewal,
    text: '>= sent.own.generation - 1',
    replacement: '>= sent.own.generation',
    property: 'I5',
    world: 'answer in up to 5 deadlines',
    server: 'strict',
  },
  {
    rule: 'F6 only a readable invalid_grant ends a session',
    file: 'core/failure.ts',
    text: "if (failure.serverError === 'invalid_grant')",
    replacement: "if (failure.serverError === 'invalid_grant' || failure.code === 'server_unavailable')",
    property: 'I4',
    world: '503 before the rotation',
  },
  {
    rule: 'F7 a write that throws is tried again: the answer is kept as long as the process lives',
    file: answers,
    text: 'await records.replace(seen.version, next, tried).catch(() => undefined)',
    replacement: 'await records.replace(seen.version, next, tried)',
    property: 'I8',
    world: 'store error before the write',
  },
  {
    rule: 'F7 a sign-in whose write threw looks before it writes again',
    file: source,
    text: '      if (record?.session === how.session) return record\n',
    replacement: '',
    property: 'I6b',
    world: 'sign-out and sign-in with store errors',
  },
  {
    rule: 'F7 a sign-in does not write over one that came after it',
    file: source,
    text: 'if (tried !== undefined && record !== undefined && record.generation > tried.generation) {',
    replacement: 'if (tried === null) {',
    property: 'I6b',
    world: 'sign-out and sign-in with store errors',
  },
  {
    rule: 'F7 a sign-out whose write threw still says what it ended',
    file: source,
    text: '(held !== undefined && record.session !== held.session)) return held',
    replacement: '(held !== undefined && record.session !== held.session)) return undefined',
    property: 'I11',
    world: 'sign-out and sign-in with store errors',
  },
  {
    rule: 'F8 what one user began is never repeated as another',
    file: decide,
    text: "if (session !== undefined && record.session !== session) return { kind: 'another_session' }",
    replacement: '',
    property: 'I7',
    world: 'sign-out and sign-in in storms',
  },
  {
    rule: 'F9 a refusal is answered by a later generation only',
    file: decide,
    text: 'token.generation > rejected.generation',
    replacement: 'token.generation !== rejected.generation',
    property: 'I10',
    world: '401 storms',
  },
  {
    rule: 'F10 what the store forgot is put back by who knows it',
    file: keeper,
    text: 'return record !== undefined && record.ended === undefined && record.session === known.session',
    replacement: 'return known === undefined && record !== undefined && record.session === known.session',
    property: 'I1',
    world: 'store forgets its last write',
  },
  {
    rule: 'F11 an answer is written over its own session only',
    file: answers,
    text: "record === undefined || record.session !== marked.session || record.ended?.reason === 'signed_out'",
    replacement:
      '(seen = { version, record: marked }) === undefined) {}\n      if (seen.version === version) continue\n      if (record === undefined',
    property: 'I6',
    world: 'sign-out and sign-in',
  },
  {
    rule: 'F11 an answer that finds its session signed out is revoked',
    file: answers,
    text: '        parts.revoke(answer)\n        return undefined\n',
    replacement: '        return undefined\n',
    property: 'I11',
    world: 'sign-out and sign-in',
  },
  {
    rule: 'F11 an answer that finds its session renewed is dropped, not revoked',
    file: answers,
    text: 'if (record.ended !== undefined || record.generation !== own.generation) return undefined',
    replacement: 'if (record.ended !== undefined || record.generation !== own.generation) return void parts.revoke(answer)',
    property: 'I12',
    world: 'answer in up to 5 deadlines',
    server: 'sibling_grace',
  },
  {
    rule: 'F13 a gap between two looks counts as one look',
    file: keeper,
    text: 'at - mark.at > 2 * poll ? poll : at - mark.at',
    replacement: 'at - mark.at',
    property: 'I2',
    world: 'SIGSTOP',
    lock: 'none',
  },
  {
    rule: 'F14 who shared a renewal decides again',
    file: source,
    text: '      const generation = record?.generation ?? 0\n',
    replacement:
      '      await share(wanted, rejected, session)\n      const mine = records.newest()\n      if (mine?.accessTokens[0]) return handOut(mine.accessTokens[0], mine)\n      const generation = record?.generation ?? 0\n',
    property: 'I13',
    world: 'two resources, narrow and wide',
  },
  {
    rule: 'F15 a mark that looks older than an hour is not watched',
    file: renewal,
    text: ' || records.times().now - mark.startedAt > oldMark',
    replacement: '',
    property: 'I9',
    world: 'short processes after a death',
    lock: 'none',
  },
  {
    rule: 'F16 a back-off is waited for',
    file: decide,
    text: 'if (record.wait !== undefined && remaining > 0) {',
    replacement: 'if (record.wait === null) {',
    property: 'I8',
    world: '503 before the rotation',
  },
  {
    rule: 'F17 while an answer is in hand nothing is sent',
    file: renewal,
    text: 'if (late || answers.isInHand()) {',
    replacement: 'if (late) {',
    property: 'I14',
    world: 'answers late and the store slow',
    lock: 'none',
  },
  {
    rule: 'a refusal ends only the generation that was sent',
    file: keeper,
    text: 'record.session !== of.session || record.generation !== of.generation',
    replacement: 'record.session !== of.session',
    property: 'I4',
    world: 'answer in up to 5 deadlines',
    server: 'single_use',
  },
  {
    rule: 'a fresh token is used',
    file: decide,
    text: "if (enough && life > renewalMargin(token, policy)) return { kind: 'use', token }",
    replacement: '',
    property: 'I8',
    world: 'calm',
  },
  {
    rule: 'a token answers only for its resource',
    file: decide,
    text: '  if (!isFor(token, wanted)) return false\n',
    replacement: '',
    property: 'I13',
    world: 'two resources, narrow and wide',
  },
  {
    rule: 'a token answers only what its scope covers',
    file: decide,
    text: 'if (covers(token.granted, wanted.scope ?? record.grantedScope)) return true',
    replacement: 'return true',
    property: 'I13',
    world: 'two resources, narrow and wide',
  },
  {
    rule: 'another mark at the commit leaves a doubt',
    file: transitions,
    text: 'seen.sending !== undefined && seen.sending.by !== renewal.by ? renewal.generation : seen.unclear',
    replacement: 'undefined',
    property: 'I5',
    world: 'answer in up to 5 deadlines',
    server: 'strict',
  },
]
