// The page Files: a client of Beefree's protocol. Each action is one request, shown as Beefree would send it.

import { _ } from './texts.js';

const page = document.getElementById('console');
const CLIENTS = JSON.parse(page.dataset.clients);
const LANGUAGE = document.documentElement.lang;
const TIMEZONE = page.dataset.timezone;
const MOST_CALLS = 30;
const find = (id) => document.getElementById(id);
const ID = /^[\w-]{1,200}$/;
const state = { client: CLIENTS[0], clientId: '', uid: '', path: '/', meta: null, items: [], selected: null, view: 'grid' };

// Elements. Texts of the service never become markup.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function folderIcon() {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('fill', '#e0a32e');
  path.setAttribute('d', 'M2 6.5A2.5 2.5 0 0 1 4.5 4h4l2.5 3h8.5A2.5 2.5 0 0 1 22 9.5v8a2.5 2.5 0 0 1-2.5 2.5h-15A2.5 2.5 0 0 1 2 17.5z');
  svg.append(path);
  return svg;
}

// Requests

const quoted = (path) => path.split('/').map(encodeURIComponent).join('/');
const isFolder = (item) => item.path.endsWith('/');
const parentOf = (path) => path.replace(/[^/]*\/?$/, '');
const nameOf = (path) => path.replace(/\/$/, '').split('/').pop();

class Failure extends Error {
  constructor(status, answer) {
    super(answer.message || _('console-answer-status', 'Status ${status}', { status }));
    this.status = status;
    this.code = answer.code;
    this.details = answer.details || '';
  }
}

function identity() {
  if (!ID.test(state.uid)) {
    throw new Failure(0, {
      message: _('console-bad-uid-title', 'This is no user id'),
      details: _('console-bad-uid', 'A user id has 1 to 200 letters, digits, underscores and hyphens.'),
    });
  }
  return { 'X-BEE-ClientId': state.clientId, 'X-BEE-Uid': state.uid };
}

async function send(method, path, body, flags) {
  const headers = { ...identity(), 'X-CSRF-Token': page.dataset.csrf };
  if (flags) headers['X-BEE-fsp-flags'] = flags;
  if (body) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(state.client.call + quoted(path), { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Failure(0, {
      message: _('console-no-answer-title', 'The service does not answer'),
      details: _('console-no-answer', 'Check that it runs, and try again.'),
    });
  }
  return settle(response.status, await response.text(), { method, path, body, flags });
}

function settle(status, text, call) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = status === 413 ? {
      message: _('console-body-too-large-title', 'File too large'),
      details: _('console-body-too-large', 'The web server takes no request of this size. Raise max_request_body_size of waitress, or client_max_body_size of nginx.'),
    } : {
      message: _('console-odd-answer-title', 'Unexpected answer (status ${status})', { status }),
      details: _('console-odd-answer', 'Something between this page and the service answered in its place.'),
    };
  }
  record(call, status, answer);
  if (status >= 400 || answer.status !== 'success') throw new Failure(status, answer);
  return answer.data;
}

// A file of this computer: Beefree would put it on a server of its own first, and send its URL.
function sendFile(path, file, strategy) {
  const body = { source: `https://BEEFREE-SERVER/${encodeURIComponent(nameOf(path))}`, conflict_strategy: strategy };
  const request = new XMLHttpRequest(); // fetch tells no progress of what it sends
  return new Promise((resolve, reject) => {
    request.open('POST', `${state.client.upload}${quoted(path)}?conflict_strategy=${strategy}`);
    for (const [name, value] of Object.entries(identity())) request.setRequestHeader(name, value);
    request.setRequestHeader('X-CSRF-Token', page.dataset.csrf);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => showProgress(nameOf(path), event.loaded / event.total);
    request.onload = () => {
      try {
        resolve(settle(request.status, request.responseText, { method: 'POST', path, body }));
      } catch (failure) {
        reject(failure);
      }
    };
    request.onerror = () => reject(new Failure(0, {
      message: _('console-not-sent-title', 'The file did not arrive'),
      details: _('console-not-sent', 'The connection ended. A web server in front may limit the size of requests (client_max_body_size of nginx).'),
    }));
    request.send(file);
  });
}

const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : shellQuoted(text));

function curl({ method, path, body, flags }) {
  const { username, password, base } = state.client;
  const lines = [`curl -u ${shellWord(username)}:"$${password}"`];
  for (const [name, value] of Object.entries(identity())) lines.push(`-H ${shellWord(`${name}:${value}`)}`);
  if (flags) lines.push(`-H X-BEE-fsp-flags:${flags}`);
  if (method !== 'GET' && !(method === 'POST' && body)) lines.push(`-X ${method}`);
  lines.push(shellQuoted(base + quoted(path)));
  if (body) lines.push(`-d ${shellQuoted(JSON.stringify(body))}`);
  return lines.join(' \\\n  ');
}

function record(call, status, answer) {
  const line = curl(call);
  const entry = make('li', {}, make('details', {},
    make('summary', {},
      make('code', {}, `${call.method} ${call.path}`),
      make('span', { class: status < 400 ? 'good-text' : 'bad-text' }, String(status))),
    make('h3', {}, _('console-call', 'Request')),
    make('pre', { tabindex: 0 }, line),
    make('div', { class: 'row' }, make('button', {
      class: 'quiet',
      onclick: () => copy(line, _('console-curl-copied', 'The curl line is copied.')),
    }, _('console-copy-curl', 'Copy curl'))),
    make('h3', {}, _('console-answer', 'Answer')),
    make('pre', { tabindex: 0 }, JSON.stringify(answer, null, 2))));
  find('calls').prepend(entry);
  while (find('calls').children.length > MOST_CALLS) find('calls').lastChild.remove();
}

// Messages

function tell(text) {
  const done = find('done');
  done.textContent = text;
  done.classList.toggle('gone', !text);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => done.classList.add('gone'), 5000);
}

function clearAlert() {
  find('alert').hidden = true;
  find('alert').replaceChildren();
}

function alertUser(failure) {
  const code = failure.code ? ` (${failure.code})` : '';
  find('alert').replaceChildren(
    make('div', {}, make('strong', {}, failure.message + code), failure.details),
    make('button', { class: 'quiet', onclick: clearAlert }, _('console-close', 'Close')));
  find('alert').hidden = false;
  tell('');
}

async function attempt(action) {
  clearAlert();
  try {
    return await action();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    alertUser(failure);
    return undefined;
  } finally {
    find('progress').hidden = true;
  }
}

function showProgress(name, share) {
  const [bar, text] = find('progress').children;
  if (share === undefined) bar.removeAttribute('value');
  else bar.value = share;
  text.textContent = _('console-uploading', 'Uploading ${name}', { name });
  find('progress').hidden = false;
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    tell(done);
  } catch { // not allowed over http, except on this machine
    alertUser({
      message: _('console-not-copied-title', 'The browser did not let us copy'),
      details: _('console-not-copied', 'Select the text and copy it yourself.'),
    });
  }
}

// Dialogs: the value of the button that closed it, '' for Escape.

function ask(id) {
  const dialog = find(id);
  dialog.returnValue = '';
  tell('');
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }));
}

async function settleConflict(name, act) {
  try {
    return await act('ask');
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.status !== 409 || failure.code !== 3400) throw failure;
  }
  find('progress').hidden = true;
  find('conflict-text').textContent = _('console-conflict', 'There is a file “${name}” already. Keep both, or replace it? Links to a replaced file show the new one.', { name });
  const strategy = await ask('conflict-dialog');
  return strategy ? act(strategy) : undefined;
}

// The folder

let latest = 0;

async function open(path, { focus = false } = {}) {
  latest += 1;
  const number = latest;
  return attempt(async () => {
    const data = await send('GET', path);
    if (number !== latest) return data; // another folder was opened meanwhile
    Object.assign(state, { path, meta: data.meta, items: data.items, selected: null });
    remember();
    show();
    if (focus) find('crumbs').querySelector('[aria-current]').focus();
    return data;
  });
}

// Files of one user must not be shown for another one whose listing fails.
function forget() {
  Object.assign(state, { path: '/', meta: null, items: [], selected: null });
  for (const id of ['files', 'crumbs', 'details']) find(id).replaceChildren();
  find('empty').hidden = find('upload').disabled = find('new-folder').disabled = true;
}

async function refresh(selected) {
  const data = await send('GET', state.path);
  Object.assign(state, { meta: data.meta, items: data.items });
  state.selected = data.items.find((item) => item.path === selected && !isFolder(item)) || null;
  show();
  // The button that was used may be gone; people at a keyboard go on from here.
  if (document.activeElement === document.body) {
    (find('files').querySelector('[aria-pressed="true"]') || find('crumbs').querySelector('[aria-current]')).focus();
  }
}

function show() {
  showCrumbs(find('crumbs'), state.path, (path) => open(path, { focus: true }));
  showItems();
  showDetails();
  const writable = state.meta.permissions === 'rw';
  find('upload').disabled = find('new-folder').disabled = !writable;
}

function showCrumbs(list, path, go) {
  const names = path.split('/').filter(Boolean);
  const crumbs = [_('console-root', 'root'), ...names].map((name, index) => {
    const target = index ? `/${names.slice(0, index).join('/')}/` : '/';
    const translate = index ? 'no' : undefined;
    return make('li', {}, index === names.length
      ? make('span', { 'aria-current': 'location', tabindex: -1, translate }, name)
      : make('button', { type: 'button', onclick: () => go(target), translate }, name));
  });
  list.replaceChildren(...crumbs);
}

const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name, LANGUAGE),
  newest: (a, b) => b['last-modified'] - a['last-modified'],
  largest: (a, b) => b.size - a.size,
};

function showItems() {
  if (!state.meta) return;
  const wanted = find('filter').value.toLowerCase();
  const order = ORDERS[find('sort').value];
  const items = state.items
    .filter((item) => item.name.toLowerCase().includes(wanted))
    .sort((a, b) => isFolder(b) - isFolder(a) || order(a, b));
  find('files').className = state.view;
  find('files').replaceChildren(...items.map(makeItem));
  find('empty').hidden = items.length > 0;
  find('empty').textContent = state.items.length
    ? _('console-no-match', 'No name matches the filter.')
    : _('console-empty-folder', 'This folder is empty.');
}

function picture(item, className) {
  if (isFolder(item)) return make('span', { class: className }, folderIcon());
  if (item.thumbnail) {
    return make('span', { class: `${className} pictured` }, make('img', { src: item.thumbnail, alt: '', loading: 'lazy' }));
  }
  const suffix = item.name.includes('.') ? item.name.split('.').pop().slice(0, 5).toUpperCase() : _('console-no-type', 'FILE');
  return make('span', { class: className }, make('span', { class: 'type', translate: 'no', 'aria-hidden': 'true' }, suffix));
}

function makeItem(item) {
  const about = isFolder(item)
    ? [item.permissions === 'ro' ? _('console-read-only-folder', 'folder, read-only') : _('console-folder', 'folder')]
    : [readable(item.size), make('span', { class: 'date' }, ' · ', day(item['last-modified']))];
  const act = isFolder(item) ? () => open(item.path, { focus: true }) : () => select(item);
  const pressed = isFolder(item) ? undefined : String(state.selected?.path === item.path);
  return make('li', {}, make('button', { type: 'button', class: 'item', 'aria-pressed': pressed, title: item.name, onclick: act },
    picture(item, 'picture'),
    make('span', { class: 'about' }, make('b', { translate: 'no' }, item.name), make('small', {}, ...about))));
}

function select(item) {
  state.selected = item;
  find('files').querySelectorAll('.item[aria-pressed]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.title === item.name));
  });
  showDetails();
}

// As the service writes sizes.
function readable(size) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let unit = 0;
  for (; size >= 1024 && unit < 3; unit += 1) size /= 1024;
  const options = unit ? { unitDisplay: 'short', maximumSignificantDigits: 3 } : { unitDisplay: 'long' };
  return new Intl.NumberFormat(LANGUAGE, { style: 'unit', unit: units[unit], ...options }).format(size);
}

function written(time, options) {
  const format = new Intl.DateTimeFormat(LANGUAGE, { timeZone: TIMEZONE, ...options });
  return make('time', { datetime: new Date(time).toISOString() }, format.format(new Date(time)));
}

const DAY = { year: 'numeric', month: 'short', day: 'numeric' };
const MINUTE = { ...DAY, hour: 'numeric', minute: '2-digit', timeZoneName: 'short' };
const day = (time) => (time ? written(time, DAY) : _('console-no-date', 'no date'));
const moment = (time) => (time ? written(time, MINUTE) : _('console-unknown', 'unknown'));

function facts(pairs) {
  return make('dl', { class: 'facts' }, ...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

const permission = (writable) => [
  _('console-permission', 'Permission'),
  writable ? _('console-read-and-write', 'read and write') : _('console-read-only', 'read only'),
];

function showDetails() {
  const item = state.selected || state.meta;
  const writable = item.permissions === 'rw';
  find('details').replaceChildren(...(state.selected ? fileDetails(item, writable) : folderDetails(item, writable)));
}

function fileDetails(item, writable) {
  const url = item['public-url'];
  const removable = writable && item.extra['can-move'];
  return [
    item.thumbnail ? picture(item, 'picture preview') : '',
    make('h3', { translate: 'no' }, item.name),
    facts([
      [_('console-type', 'Type'), make('bdi', { translate: 'no' }, item['mime-type'])],
      [_('console-size', 'Size'), readable(item.size)],
      [_('console-changed', 'Changed'), moment(item['last-modified'])],
      permission(writable),
    ]),
    make('label', { for: 'public-url' }, _('console-public-url', 'Public URL')),
    make('input', { id: 'public-url', readonly: true, dir: 'ltr', value: url, onfocus: (event) => event.target.select() }),
    make('p', { class: 'note' }, _('console-public-url-note', 'It needs no password, and stays the same when the file is moved, renamed or replaced.')),
    make('div', { class: 'buttons' },
      make('button', {
        onclick: () => copy(url, _('console-public-url-copied', 'The public URL is copied.')),
      }, _('console-copy-public-url', 'Copy public URL')),
      make('a', { class: 'button', href: url, target: '_blank', rel: 'noopener' }, _('console-open', 'Open'))),
    make('div', { class: 'buttons' },
      make('button', { disabled: !removable, onclick: () => move(item) }, _('console-move', 'Move')),
      make('button', { disabled: !removable, onclick: () => remove(item) }, _('console-delete', 'Delete'))),
  ];
}

function folderDetails(item, writable) {
  const isRoot = state.path === '/';
  return [
    isRoot ? make('h3', {}, _('console-root', 'root')) : make('h3', { translate: 'no' }, item.name),
    facts([
      [_('console-type', 'Type'), _('console-folder', 'folder')],
      [_('console-items', 'Items'), new Intl.NumberFormat(LANGUAGE).format(state.items.length)],
      permission(writable),
    ]),
    make('p', { class: 'note' }, _('console-choose-file', 'Choose a file to see its picture and its public URL.')),
    ...(isRoot ? [] : [make('div', { class: 'buttons' },
      make('button', { disabled: !writable, onclick: () => remove(item) }, _('console-delete', 'Delete')))]),
  ];
}

// Actions

async function upload(files, source, name) {
  const uploads = source
    ? [[name || sourceName(source) || 'file', (path, strategy) => send('POST', path, { source, conflict_strategy: strategy })]]
    : files.map((file) => [files.length === 1 && name ? name : file.name, (path, strategy) => sendFile(path, file, strategy)]);
  for (const [fileName, act] of uploads) {
    const done = await attempt(() => settleConflict(fileName, (strategy) => {
      showProgress(fileName);
      return act(state.path + fileName, strategy);
    }));
    if (done) {
      await attempt(() => refresh(done.meta.path));
      tell(_('console-uploaded', '${name} is uploaded.', { name: done.meta.name }));
    }
  }
}

function sourceName(source) {
  try {
    return decodeURIComponent(new URL(source).pathname.split('/').pop());
  } catch {
    return '';
  }
}

async function askUpload() {
  for (const id of ['source', 'file', 'upload-name']) find(id).value = '';
  if (await ask('upload-dialog') !== 'ok') return;
  const source = find('source').value.trim();
  const files = [...find('file').files];
  if (!source && !files.length) {
    alertUser({
      message: _('console-no-source-title', 'Nothing to upload'),
      details: _('console-no-source', 'Write a source URL, or choose a file.'),
    });
    return;
  }
  if (source && files.length) {
    alertUser({
      message: _('console-two-sources-title', 'Two sources'),
      details: _('console-two-sources', 'Write a source URL or choose a file, not both.'),
    });
    return;
  }
  await upload(files, source, find('upload-name').value.trim());
}

// Suggests a name while there is none of the user's own.
function suggestName() {
  const [file] = find('file').files;
  const field = find('upload-name');
  if (field.value && field.value !== field.dataset.suggested) return;
  field.value = find('source').value ? sourceName(find('source').value) : (file?.name ?? '');
  field.dataset.suggested = field.value;
}

async function createFolder() {
  find('folder-name').value = '';
  if (await ask('folder-dialog') !== 'ok') return;
  const name = find('folder-name').value.trim();
  if (!name || name.includes('/')) {
    alertUser({
      message: _('console-no-folder-title', 'No folder was created'),
      details: _('console-no-folder', 'Write a name, without a slash.'),
    });
    return;
  }
  await attempt(async () => {
    const { meta } = await send('POST', `${state.path}${name}/`);
    await refresh();
    tell(_('console-folder-created', 'The folder ${name} is created.', { name: meta.name }));
  });
}

async function remove(item) {
  const folder = isFolder(item);
  find('delete-text').textContent = folder
    ? _('console-delete-folder', 'Delete the folder “${name}”? It goes to Egnyte’s trash.', { name: item.name })
    : _('console-delete-file', 'Delete the file “${name}”? It goes to Egnyte’s trash.', { name: item.name });
  if (await ask('delete-dialog') !== 'ok') return;
  await attempt(async () => {
    await send('DELETE', item.path);
    if (folder) await open(parentOf(item.path), { focus: true });
    else await refresh();
    tell(_('console-deleted', '${name} is deleted.', { name: item.name }));
  });
}

async function move(item) {
  let target = state.path;
  async function showFolders(path) {
    const data = await send('GET', path, undefined, 'move');
    target = path;
    showCrumbs(find('move-crumbs'), path, go);
    find('move-folders').replaceChildren(...(data.items.length
      ? data.items.map((folder) => make('li', {}, make('button', { type: 'button', translate: 'no', onclick: () => go(folder.path) }, folder.name)))
      : [make('li', { class: 'empty' }, _('console-no-folders', 'No folders here.'))]));
    find('move-here').disabled = path === parentOf(item.path) || data.meta.permissions !== 'rw';
  }
  async function go(path) {
    await attempt(() => showFolders(path));
    find('move-crumbs').querySelector('[aria-current]').focus();
  }
  find('move-text').textContent = _('console-choose-folder', 'Choose a folder for “${name}”.', { name: item.name });
  if (!await attempt(async () => { await showFolders(state.path); return true; })) return;
  if (await ask('move-dialog') !== 'ok') return;
  await attempt(async () => {
    const body = (strategy) => ({ new_path: target, conflict_strategy: strategy });
    const done = await settleConflict(item.name, (strategy) => send('PATCH', item.path, body(strategy)));
    if (!done) return;
    await refresh();
    tell(_('console-moved', '${name} is moved to ${folder}.', { name: done.meta.name, folder: target }));
  });
}

// The address names application, user and folder, so that a reload shows them again.

function remember() {
  const values = new URLSearchParams({
    client: CLIENTS.indexOf(state.client), 'client-id': state.clientId, uid: state.uid, path: state.path,
  });
  const address = `#${values}`;
  if (location.hash !== address) history.pushState(null, '', address);
}

function recall() {
  const values = new URLSearchParams(location.hash.slice(1));
  const client = CLIENTS[values.get('client')] ?? CLIENTS[0];
  const asked = values.get('client-id') ?? '';
  const clientId = ID.test(asked) ? asked : client.clientIds[0];
  const uid = values.get('uid') || find('uid').defaultValue;
  if (client !== state.client || clientId !== state.clientId || uid !== state.uid) forget();
  Object.assign(state, { client, clientId, uid });
  find('client').value = CLIENTS.indexOf(client);
  offerClientIds(clientId);
  find('uid').value = uid;
  return open(values.get('path') || '/');
}

// The client ids that the chosen client accepts, if its settings name them.
function offerClientIds(chosen) {
  const { clientIds } = CLIENTS[find('client').value];
  find('client-ids').replaceChildren(...clientIds.map((value) => make('option', { value })));
  find('client-id').value = chosen ?? clientIds[0];
}

function listen() {
  find('client').addEventListener('change', () => offerClientIds());
  find('identity').addEventListener('submit', (event) => {
    event.preventDefault();
    state.client = CLIENTS[find('client').value];
    state.clientId = find('client-id').value.trim();
    state.uid = find('uid').value.trim();
    forget();
    open('/', { focus: true });
  });
  find('upload').addEventListener('click', askUpload);
  find('new-folder').addEventListener('click', createFolder);
  find('source').addEventListener('input', suggestName);
  find('file').addEventListener('change', suggestName);
  find('filter').addEventListener('input', showItems);
  find('sort').addEventListener('change', showItems);
  find('clear').addEventListener('click', () => find('calls').replaceChildren());
  find('view').addEventListener('click', () => {
    state.view = state.view === 'grid' ? 'list' : 'grid';
    find('view').setAttribute('aria-pressed', String(state.view === 'list'));
    showItems();
  });
  addEventListener('popstate', recall);
  const target = document.querySelector('.browser');
  target.addEventListener('dragover', (event) => {
    event.preventDefault();
    target.classList.add('dropping');
  });
  target.addEventListener('dragleave', () => target.classList.remove('dropping'));
  target.addEventListener('drop', (event) => {
    event.preventDefault();
    target.classList.remove('dropping');
    if (event.dataTransfer.files.length && !find('upload').disabled) upload([...event.dataTransfer.files]);
  });
}

listen();
recall();
