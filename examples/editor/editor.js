// Beefree's editor in the page. npm run build makes editor/static/editor.js of it and of the SDK.

import BeefreeSDK from '@beefree.io/sdk';

const page = document.getElementById('editor');
const message = document.getElementById('message');

async function getToken() {
  const response = await fetch(page.dataset.token, { method: 'POST' });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer; // to be passed on as it is
}

async function start() {
  const token = await getToken();
  const template = await (await fetch(page.dataset.template)).json();
  const options = page.dataset.plugin ? { beePluginUrl: page.dataset.plugin } : undefined;
  const sdk = new BeefreeSDK(token, options);
  await sdk.start(
    {
      container: 'editor',
      uid: page.dataset.uid,
      language: 'en-US',
      onSave: (json, html) => console.log('saved', json, html),
      onError: (error) => show(`Beefree: ${error.message || JSON.stringify(error)}`),
    },
    template,
  );
}

function show(text) {
  message.textContent = text;
  message.hidden = false;
}

start().catch((error) => show(error.message));
