/** Loaded before a server's main.ts (`node --import`): its wall clock is ahead by CLOCK_SHIFT_MS, so that a test needs not wait for the hour. */
const shiftMs = Number(process.env['CLOCK_SHIFT_MS'] ?? 0);
const now = Date.now.bind(Date);
Date.now = () => now() + shiftMs;
