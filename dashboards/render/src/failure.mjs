/** Something the user can act on: told by its message alone, without a stack. */
export class Failure extends Error {}
