/** What the environment gives: who the keys are, what runs where. */
const { env } = process;

export const port = Number(env.PORT);
export const scopes = new Map([
  [env.HOSTUP_API_KEY, ["read:vm", "write:vm"]],
  [env.HOSTUP_READ_API_KEY, ["read:vm"]],
]);
export const vpss = new Map([
  [
    env.HOSTUP_VPS_ID,
    {
      agent: { available: true, reason: null, vmRunning: true },
      commands: new Map([
        [Number(env.HOSTUP_RUNNING_PID), { exited: false }],
        [Number(env.HOSTUP_FINISHED_PID), { exited: true, exitCode: 0, stdout: "v20.1.0\n", stderr: "" }],
      ]),
    },
  ],
  [
    env.HOSTUP_UNAVAILABLE_VPS_ID,
    { agent: { available: false, reason: "QEMU Guest Agent is not installed.", vmRunning: true }, commands: new Map() },
  ],
]);
