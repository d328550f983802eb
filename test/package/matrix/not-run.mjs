/** Thrown by a case that this machine cannot run; the message says what it lacks. Counted apart. */
export class NotRun extends Error {}
