// Loaded before vitest: its workers, and what tests start by process.execPath, run on another Node than vitest itself.
if (process.env.HSU_FOREIGN_NODE) process.execPath = process.env.HSU_FOREIGN_NODE;
