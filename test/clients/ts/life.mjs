// The whole life of a zone through the vendor's TypeScript SDK, unmodified. It
// takes the base URL and the token from the variables of its own; what the test
// that starts this knows besides comes as JSON in SECONDARYD_TEST.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import Cloudflare from 'cloudflare';

const { account, zone, name, primary, key, daemon } = JSON.parse(process.env.SECONDARYD_TEST);
const absent = 'f'.repeat(32);
const sdk = new Cloudflare();
const { tsigs, peers, acls, incoming, forceAXFR } = sdk.dns.zoneTransfers;
const inAccount = { account_id: account };
const inZone = { zone_id: zone };

const resolver = new Resolver({ timeout: 2000, tries: 1 });
resolver.setServers([daemon]);

// served waits until the daemon answers for the zone, or with false until it
// refuses to.
async function served(want) {
  for (const end = Date.now() + 20_000; Date.now() < end; await setTimeout(20)) {
    const answered = await resolver.resolveSoa(name).then(() => true, () => false);
    if (answered === want) return;
  }
  assert.fail(`waited in vain for the zone to be ${want ? 'served' : 'refused'}`);
}

// refused checks an error as the SDK hands it to its user.
async function refused(call, type, code, pointer) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
    assert.equal(error.errors[0].code, code);
    assert.equal(error.errors[0].source?.pointer, pointer);
    return true;
  });
}

async function all(pages) {
  const found = [];
  for await (const object of pages) found.push(object);
  return found;
}

test('the life of a zone', async () => {
  assert.equal((await sdk.user.tokens.verify()).status, 'active');
  assert.deepEqual(await all(tsigs.list(inAccount)), []);

  let tsig = await tsigs.create({ ...inAccount, ...key, secret: 'd3Jvbmc=' });
  tsig = await tsigs.update(tsig.id, { ...inAccount, ...key });
  assert.deepEqual(tsig, { id: tsig.id, ...key });
  assert.deepEqual(await tsigs.get(tsig.id, inAccount), tsig);
  assert.deepEqual(await all(tsigs.list(inAccount)), [tsig]);

  let acl = await acls.create({ ...inAccount, name: 'notifiers', ip_range: '192.0.2.53/28' });
  assert.equal(acl.ip_range, '192.0.2.53/28');
  acl = await acls.update(acl.id, { ...inAccount, name: 'more', ip_range: '2001:db8::1/64' });
  assert.equal(acl.ip_range, '2001:db8::1/64');
  assert.deepEqual(await acls.get(acl.id, inAccount), acl);
  assert.deepEqual(await all(acls.list(inAccount)), [acl]);

  let peer = await peers.create({ ...inAccount, name: 'primary' });
  assert.deepEqual(peer, { id: peer.id, name: 'primary' });
  const members = { name: 'primary', ...primary, ixfr_enable: true, tsig_id: tsig.id };
  peer = await peers.update(peer.id, { ...inAccount, ...members });
  assert.deepEqual(peer, { id: peer.id, ...members });
  assert.deepEqual(await peers.get(peer.id, inAccount), peer);
  assert.deepEqual(await all(peers.list(inAccount)), [peer]);

  const config = { name, peers: [peer.id], auto_refresh_seconds: 3600 };
  const made = await incoming.create({ ...inZone, ...config });
  assert.deepEqual(made, { ...made, id: zone, ...config, soa_serial: 0, checked_time: made.created_time });
  await served(true);
  const updated = await incoming.update({ ...inZone, ...config, auto_refresh_seconds: 7200 });
  assert.ok(new Date(updated.modified_time) > new Date(made.created_time));
  const got = await incoming.get(inZone);
  assert.equal(got.auto_refresh_seconds, 7200);
  assert.equal(got.soa_serial, 1);
  assert.equal(await forceAXFR.create({ ...inZone, body: {} }), 'OK');
  assert.equal(await forceAXFR.create({ ...inZone, body: undefined }), 'OK');

  const { BadRequestError, NotFoundError, AuthenticationError } = Cloudflare;
  await refused(incoming.create({ ...inZone, ...config }), BadRequestError, 2301);
  await refused(incoming.update({ ...inZone, ...config, auto_refresh_seconds: 299 }), BadRequestError, 2104, '/auto_refresh_seconds');
  await refused(incoming.update({ ...inZone, ...config, peers: [peer.id, absent] }), BadRequestError, 2106, '/peers/1');
  await refused(acls.update(acl.id, { ...inAccount, name: 'wide', ip_range: '192.0.0.0/23' }), BadRequestError, 2104, '/ip_range');
  await refused(peers.delete(peer.id, inAccount), BadRequestError, 2302);
  await refused(tsigs.delete(tsig.id, inAccount), BadRequestError, 2303);
  await refused(incoming.get({ zone_id: absent }), NotFoundError, 2201);
  await refused(peers.get(absent, inAccount), NotFoundError, 2202);
  await refused(sdk.withOptions({ apiToken: 'stranger' }).dns.zoneTransfers.incoming.get(inZone), AuthenticationError, 10000);
  assert.equal((await incoming.get(inZone)).auto_refresh_seconds, 7200);

  assert.deepEqual(await incoming.delete(inZone), { id: zone });
  await served(false);
  assert.deepEqual(await peers.delete(peer.id, inAccount), { id: peer.id });
  assert.deepEqual(await tsigs.delete(tsig.id, inAccount), { id: tsig.id });
  assert.deepEqual(await acls.delete(acl.id, inAccount), { id: acl.id });
  await refused(incoming.get(inZone), NotFoundError, 2201);
  await refused(peers.get(peer.id, inAccount), NotFoundError, 2202);
  await refused(tsigs.get(tsig.id, inAccount), NotFoundError, 2203);
  await refused(acls.get(acl.id, inAccount), NotFoundError, 2204);
  assert.deepEqual(await all(peers.list(inAccount)), []);
});
