// The button that copies the base URL.

import { _ } from './texts.js';

const field = document.getElementById('base-url');
const message = document.getElementById('copied');

document.getElementById('copy').addEventListener('click', async () => {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    message.textContent = _('welcome-copied', 'The base URL is copied.');
  } catch { // not allowed over http, except on this machine
    message.textContent = _('welcome-not-copied', 'Press Ctrl+C, or Cmd+C, to copy the base URL.');
  }
});
