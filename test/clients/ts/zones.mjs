// Zones by name, and whom they are handed out to, through the vendor's
// TypeScript SDK, unmodified. life.mjs says what it is given.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Cloudflare from 'cloudflare';

const { account, name } = JSON.parse(process.env.SECONDARYD_TEST);
const sdk = new Cloudflare();
const { peers, outgoing } = sdk.dns.zoneTransfers;
const inAccount = { account_id: account };
const { BadRequestError, NotFoundError } = Cloudflare;

test('pages of zones', async () => {
  const want = [];
  for (let i = 0; i < 7; i++) {
    const zone = await sdk.zones.create({ account: { id: account }, name: `zone${i}.test`, type: 'secondary' });
    assert.equal(zone.name, `zone${i}.test`);
    want.push(zone.id);
  }
  const listed = [];
  for await (const zone of sdk.zones.list({ per_page: 5 })) listed.push(zone.id);
  assert.deepEqual(listed.toSorted(), want.toSorted());
  const found = await sdk.zones.list({ name: 'zone3.test', account: { id: account } });
  assert.deepEqual(found.result.map((zone) => zone.id), [want[3]]);
  for (const id of want) {
    assert.equal((await sdk.zones.get({ zone_id: id })).account.id, account);
    assert.deepEqual(await sdk.zones.delete({ zone_id: id }), { id });
  }
  await assert.rejects(sdk.zones.get({ zone_id: want[0] }), NotFoundError);
});

test('the life of an outgoing configuration', async () => {
  const zone = await sdk.zones.create({ account: { id: account }, name: name.slice(0, -1), type: 'secondary' });
  const inZone = { zone_id: zone.id };
  const peer = await peers.create({ ...inAccount, name: 'secondary' });
  const config = { name, peers: [peer.id] };
  const made = await outgoing.create({ ...inZone, ...config });
  assert.deepEqual(made, { ...made, id: zone.id, ...config, soa_serial: 0 });
  assert.equal(await outgoing.status.get(inZone), 'Disabled');
  assert.equal(await outgoing.enable({ ...inZone, body: {} }), 'Enabled');
  assert.equal(await outgoing.status.get(inZone), 'Enabled');
  assert.equal(await outgoing.forceNotify({ ...inZone, body: {} }), 'OK');
  assert.equal(await outgoing.disable({ ...inZone, body: undefined }), 'Disabled');
  assert.deepEqual((await outgoing.update({ ...inZone, ...config })).peers, config.peers);
  assert.equal((await outgoing.get(inZone)).created_time, made.created_time);
  await assert.rejects(outgoing.create({ ...inZone, ...config }), BadRequestError);
  await assert.rejects(peers.delete(peer.id, inAccount), BadRequestError);
  assert.deepEqual(await outgoing.delete(inZone), { id: zone.id });
  await assert.rejects(outgoing.get(inZone), NotFoundError);
  assert.deepEqual(await peers.delete(peer.id, inAccount), { id: peer.id });
});
