// What a rule reports.

export interface Finding {
  rule: string;
  /** The panel, variable or annotation; empty for the dashboard itself. */
  where: string;
  message: string;
}

export type Report = (rule: string, where: string, message: string) => void;
