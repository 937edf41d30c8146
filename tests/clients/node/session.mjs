// The JavaScript client: typed APIs, patches of every kind, watches, the informer, logs, custom objects, apply.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as k8s from '@kubernetes/client-node';

const PATIENCE = 60_000;
const GROUP = 'javascript.sampan.test';

const config = new k8s.KubeConfig();
config.loadFromDefault();
const namespace = config.getContextObject(config.getCurrentContext()).namespace;
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const custom = config.makeApiClient(k8s.CustomObjectsApi);
const definitions = config.makeApiClient(k8s.ApiextensionsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

const as = (strategy) => k8s.setHeaderOptions('Content-Type', strategy);
const configMap = (name, data = {}, labels = {}) => ({ metadata: { name, namespace, labels }, data });
const names = (list) => list.items.map((item) => item.metadata.name);
const create = (body) => core.createNamespacedConfigMap({ namespace, body });

async function eventually(what, found) {
    for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(50)) {
        const seen = await found();
        if (seen) return seen;
    }
    throw new Error(`not within ${PATIENCE} ms: ${what}`);
}

async function refused(code, reason, request) {
    const error = await request.then(() => assert.fail(`should be refused with ${code}`), (error) => error);
    assert.ok(error instanceof k8s.ApiException, `${error.stack}`);
    assert.equal(error.code, code);
    assert.equal(JSON.parse(error.body).reason, reason);
}

async function createAndRead() {
    const made = await create(configMap('first', { a: '1' }, { app: 'x' }));
    assert.ok(made.metadata.creationTimestamp instanceof Date);
    assert.deepEqual(await core.readNamespacedConfigMap({ name: 'first', namespace }), made);
    made.data.b = '2';
    const replaced = await core.replaceNamespacedConfigMap({ name: 'first', namespace, body: made });
    assert.deepEqual(replaced.data, { a: '1', b: '2' });
    await refused(409, 'Conflict', core.replaceNamespacedConfigMap({ name: 'first', namespace, body: made }));
    await refused(409, 'AlreadyExists', create(configMap('first')));
    await refused(404, 'NotFound', core.readNamespacedConfigMap({ name: 'none', namespace }));
    await refused(422, 'Invalid', create(configMap('Not_A_Name')));
}

async function pages() {
    for (let index = 0; index < 5; index++) await create(configMap(`page-${index}`, {}, { page: 'yes' }));
    const seen = [];
    let _continue;
    do {
        const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'page', limit: 2, _continue });
        seen.push(...names(page));
        _continue = page.metadata._continue;
    } while (_continue);
    assert.deepEqual(seen, [0, 1, 2, 3, 4].map((index) => `page-${index}`));
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'page' });
    assert.deepEqual(names(await core.listNamespacedConfigMap({ namespace, labelSelector: 'page' })), []);
}

function deployment(name) {
    const containers = [{ name: 'main', image: 'localhost/ticker:v1' }];
    return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace },
        spec: {
            replicas: 1,
            selector: { matchLabels: { app: name } },
            template: { metadata: { labels: { app: name } }, spec: { containers } },
        },
    };
}

async function patches() {
    const name = 'patched';
    await apps.createNamespacedDeployment({ namespace, body: deployment(name) });
    const patch = (body, strategy) => apps.patchNamespacedDeployment({ name, namespace, body }, as(strategy));
    const side = { name: 'side', image: 'localhost/ticker:v1' };
    const pod = (containers) => ({ spec: { template: { spec: { containers } } } });
    const containers = (deployment) => deployment.spec.template.spec.containers.map((container) => container.name);
    assert.deepEqual(containers(await patch(pod([side]), k8s.PatchStrategy.StrategicMergePatch)), ['side', 'main']);
    const without = pod([{ name: 'side', $patch: 'delete' }]);
    assert.deepEqual(containers(await patch(without, k8s.PatchStrategy.StrategicMergePatch)), ['main']);
    const labelled = await patch({ metadata: { labels: { a: 'b' } } }, k8s.PatchStrategy.MergePatch);
    assert.deepEqual(labelled.metadata.labels, { a: 'b' });
    const operations = [{ op: 'test', path: '/spec/replicas', value: 1 }, { op: 'remove', path: '/metadata/labels/a' }];
    assert.equal((await patch(operations, k8s.PatchStrategy.JsonPatch)).metadata.labels, undefined);
    await refused(422, 'Invalid', patch([{ ...operations[0], value: 9 }], k8s.PatchStrategy.JsonPatch));
    const scale = await apps.readNamespacedDeploymentScale({ name, namespace });
    scale.spec.replicas = 2;
    const scaled = await apps.replaceNamespacedDeploymentScale({ name, namespace, body: scale });
    assert.equal(scaled.spec.replicas, 2);
}

async function runAndLogs() {
    const name = 'patched';
    await eventually('two ready replicas', async () => {
        const { metadata, status } = await apps.readNamespacedDeployment({ name, namespace });
        const counts = [status.replicas, status.updatedReplicas, status.readyReplicas];
        return status.observedGeneration === metadata.generation && counts.every((count) => count === 2);
    });
    const pods = await core.listNamespacedPod({ namespace, labelSelector: 'app=patched' });
    const pod = pods.items.find(({ metadata }) => !metadata.deletionTimestamp);
    const out = new PassThrough();
    let printed = '';
    out.on('data', (chunk) => (printed += chunk));
    const following = await new k8s.Log(config).log(namespace, pod.metadata.name, 'main', out, { follow: true });
    await eventually('three lines of log', () => printed.split('\n').length > 3);
    following.abort();
    await apps.deleteNamespacedDeployment({ name, namespace, propagationPolicy: 'Foreground' });
    await eventually('no pods', async () => (await core.listNamespacedPod({ namespace })).items.length === 0);
}

async function apply() {
    const applied = (manager, data, force) => {
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data };
        return objects.patch(body, undefined, undefined, manager, force, k8s.PatchStrategy.ServerSideApply);
    };
    const first = await applied('one', { a: '1', b: '1' }, false);
    const again = await applied('one', { a: '1', b: '1' }, false);
    assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion);
    await refused(409, 'Conflict', applied('two', { a: '2' }, false));
    assert.deepEqual((await applied('two', { a: '2' }, true)).data, { a: '2', b: '1' });
    assert.deepEqual((await applied('one', { c: '3' }, false)).data, { a: '2', c: '3' });
}

async function watches() {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    await create(configMap('watched', {}, { watched: 'yes' }));
    await core.deleteNamespacedConfigMap({ name: 'watched', namespace });
    const seen = [];
    await new Promise((resolve, reject) => {
        const parameters = { labelSelector: 'watched', resourceVersion: metadata.resourceVersion, timeoutSeconds: 1 };
        const done = (error) => (error ? reject(error) : resolve());
        const path = `/api/v1/namespaces/${namespace}/configmaps`;
        new k8s.Watch(config).watch(path, parameters, (type, object) => seen.push([type, object.metadata.name]), done);
    });
    assert.deepEqual(seen, [['ADDED', 'watched'], ['DELETED', 'watched']]);
}

// The cache stays right though every connection breaks off: what happened in between is not lost.
async function informer() {
    const flaky = new k8s.KubeConfig();
    flaky.loadFromFile(process.env.FLAKY_KUBECONFIG);
    const there = flaky.makeApiClient(k8s.CoreV1Api);
    const list = () => there.listNamespacedConfigMap({ namespace, labelSelector: 'informed' });
    const informer = k8s.makeInformer(flaky, `/api/v1/namespaces/${namespace}/configmaps`, list, 'informed');
    let broken = 0;
    const seen = [];
    informer.on('add', (item) => seen.push(`add ${item.metadata.name}`));
    informer.on('update', (item) => seen.push(`update ${item.metadata.name}`));
    informer.on('delete', (item) => seen.push(`delete ${item.metadata.name}`));
    informer.on('connect', () => broken++);
    // As the client's documentation has it.
    informer.on('error', () => setTimeout(() => informer.start(), 100));
    await create(configMap('before', {}, { informed: 'yes' }));
    await informer.start();
    for (let turn = 0; turn < 4; turn++) {
        const name = `turn-${turn}`;
        const before = broken;
        await create(configMap(name, {}, { informed: 'yes' }));
        await eventually('the watch to break', () => broken > before);
        const body = { data: { turn: `${turn}` } };
        await core.patchNamespacedConfigMap({ name, namespace, body }, as(k8s.PatchStrategy.MergePatch));
        await eventually('the change', () => informer.get(name, namespace)?.data?.turn === `${turn}`);
    }
    await core.deleteNamespacedConfigMap({ name: 'before', namespace });
    await eventually('the deletion', () => seen.includes('delete before'));
    assert.deepEqual(informer.list(namespace).map((item) => item.metadata.name).sort(), [0, 1, 2, 3].map((turn) => `turn-${turn}`));
    assert.deepEqual(seen.filter((event) => event.startsWith('add')).length, 5);
    await informer.stop();
}

async function customObjects() {
    const schema = {
        type: 'object',
        properties: {
            spec: {
                type: 'object',
                required: ['size'],
                properties: { size: { type: 'integer', minimum: 1 }, colour: { type: 'string', _default: 'red' } },
            },
            status: { type: 'object', properties: { ready: { type: 'boolean' } } },
        },
    };
    const version = { name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: schema } };
    const named = { plural: 'kites', singular: 'kite', kind: 'Kite', shortNames: ['kt'] };
    const body = { metadata: { name: `kites.${GROUP}` }, spec: { group: GROUP, scope: 'Namespaced', names: named, versions: [version] } };
    await definitions.createCustomResourceDefinition({ body });
    await eventually('the definition to be established', async () => {
        const { status } = await definitions.readCustomResourceDefinition({ name: `kites.${GROUP}` });
        return status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True');
    });
    const where = { group: GROUP, version: 'v1', namespace, plural: 'kites' };
    const kite = (name, spec) => ({ apiVersion: `${GROUP}/v1`, kind: 'Kite', metadata: { name, namespace }, spec });
    const made = await custom.createNamespacedCustomObject({ ...where, body: kite('one', { size: 1, odd: true }) });
    assert.deepEqual(made.spec, { size: 1, colour: 'red' });
    await refused(422, 'Invalid', custom.createNamespacedCustomObject({ ...where, body: kite('two', { size: 0 }) }));
    const merge = as(k8s.PatchStrategy.MergePatch);
    const patch = { ...where, name: 'one', body: { spec: { size: 2 }, status: { ready: true } } };
    const patched = await custom.patchNamespacedCustomObject(patch, merge);
    assert.deepEqual([patched.spec.size, patched.status], [2, undefined]);
    const status = await custom.patchNamespacedCustomObjectStatus(patch, merge);
    assert.deepEqual(status.status, { ready: true });
    const applied = kite('two', { size: 7 });
    const apply = () => objects.patch(applied, undefined, undefined, 'js', false, k8s.PatchStrategy.ServerSideApply);
    const first = await apply();
    assert.equal((await apply()).metadata.resourceVersion, first.metadata.resourceVersion);
    assert.deepEqual(names(await custom.listNamespacedCustomObject(where)), ['one', 'two']);
    await custom.deleteNamespacedCustomObject({ ...where, name: 'one' });
    await refused(404, 'NotFound', custom.getNamespacedCustomObject({ ...where, name: 'one' }));
    await definitions.deleteCustomResourceDefinition({ name: `kites.${GROUP}` });
}

const chapters = [createAndRead, pages, patches, runAndLogs, apply, watches, informer, customObjects];
const named = process.argv.slice(2);
for (const chapter of chapters.filter(({ name }) => named.length === 0 || named.includes(name))) {
    const began = Date.now();
    await chapter();
    console.log(`${chapter.name} ${(Date.now() - began) / 1000} s`);
}
// A connection that is kept alive is no reason to stay.
process.exit(0);
