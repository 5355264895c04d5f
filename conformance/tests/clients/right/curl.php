<?php
// Run a command in a VPS with PHP's curl.
declare(strict_types=1);

$deadline = microtime(true) + (float) (getenv('HOSTUP_TIMEOUT') ?: 300);
$url = rtrim(getenv('HOSTUP_BASE_URL'), '/') . '/api/v2/vps/' . rawurlencode(getenv('HOSTUP_VPS_ID')) . '/agent/exec';

function fail(string $message): never
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

function call(string $url, ?array $body = null): array
{
    global $deadline;
    $left = (int) (($deadline - microtime(true)) * 1000);
    if ($left <= 0) {
        fail('timed out; the command may still be running');
    }
    $headers = ['Authorization: Bearer ' . getenv('HOSTUP_API_KEY'), 'Accept: application/json'];
    // A new handle each time: one that keeps its connection sends a lost request again, even a POST.
    $curl = curl_init($url);
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body, JSON_THROW_ON_ERROR));
    }
    curl_setopt_array($curl, [
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_USERAGENT => 'php-client/1.0',
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT_MS => $left,
        CURLOPT_PROXY => '',
    ]);
    $text = curl_exec($curl);
    if ($text === false) {
        fail(curl_error($curl));
    }
    if (curl_getinfo($curl, CURLINFO_RESPONSE_CODE) !== 200) {
        fail('status ' . curl_getinfo($curl, CURLINFO_RESPONSE_CODE));
    }
    $value = json_decode($text, true, 64, JSON_THROW_ON_ERROR);
    return is_array($value) ? $value : fail('no JSON object');
}

ini_set('memory_limit', '1G');
ini_set('display_errors', 'stderr');
$availability = call($url);
if (($availability['available'] ?? null) !== true) {
    fail('commands cannot be run: ' . json_encode($availability['reason'] ?? null));
}
$pid = call($url, ['command' => getenv('HOSTUP_COMMAND')])['pid'] ?? null;
if (!is_int($pid)) {
    fail('the start named no pid');
}
while (true) {
    $output = call("$url?pid=$pid");
    if (($output['exited'] ?? null) === true) {
        break;
    }
    usleep(500_000);
}
fwrite(STDOUT, $output['stdout'] ?? '');
fwrite(STDERR, $output['stderr'] ?? '');
$code = $output['exitCode'] ?? 255;
exit($code < 0 || $code > 255 ? 255 : $code);
