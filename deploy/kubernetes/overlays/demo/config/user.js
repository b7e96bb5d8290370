// Run by the image of MongoDB on an empty data folder: the one user of the service, who may read and write its database.
const { readFileSync } = require('node:fs');

const name = process.env.MONGO_INITDB_DATABASE;
db.getSiblingDB(name).createUser({
  user: 'tradepost',
  pwd: readFileSync('/run/secrets/password', 'utf8').trim(),
  roles: [{ role: 'readWrite', db: name }],
});
