/** Formats that schemas up to draft 7 assert. A format that is not listed holds. */

const HOSTNAME = /^(?=.{1,253}$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[zZ]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  hostname: (text) => HOSTNAME.test(text.replace(/\.$/, '')),
  ipv4: (text) => IPV4.test(text),
  ipv6: (text) => /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':') && !/:::/.test(text) && text.split(':').length <= 8,
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
  date: (text) => DATE.test(text),
  time: (text) => TIME.test(text),
  'date-time': (text) => /^[^tT]+[tT]/.test(text) && DATE.test(text.slice(0, 10)) && TIME.test(text.slice(11)),
  uri: (text) => /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>"{}|\\^`]*$/.test(text),
  'uri-reference': (text) => /^[^\s<>"{}|\\^`]*$/.test(text),
  regex: (text) => {
    try {
      new RegExp(text, 'u');
      return true;
    } catch {
      return false;
    }
  },
  'json-pointer': (text) => /^(?:\/(?:[^~/]|~[01])*)*$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
};
