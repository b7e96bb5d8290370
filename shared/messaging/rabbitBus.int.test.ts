import { busSuite } from '../testing/busSuite.ts';
import { useRabbit } from '../testing/rabbitTestBroker.ts';

const url = process.env.RABBITMQ_URL;

if (url) busSuite('RabbitMQ bus', async () => ({ ...(await useRabbit(url)), listenersSpanInstances: true }));
