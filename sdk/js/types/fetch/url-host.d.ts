/**
 * Names and addresses of hosts, after the URL standard.
 *
 * @module
 */
/**
 * A host as the standard writes it: names in lower case, IPv4 addresses in four decimal numbers, IPv6 addresses
 * shortened.
 *
 * @internal
 * @param {string} text
 * @param {boolean} special Whether the scheme is one of the web's.
 * @returns {string}
 */
export function readHost(text: string, special: boolean): string;
