/**
 * Takes one step.
 *
 * @internal
 * @param {import('./dialogue.js').Dialogue} dialogue
 * @param {import('../message.js').Message} message
 */
export function run(dialogue: import("./dialogue.js").Dialogue, message: import("../message.js").Message): Promise<void>;
