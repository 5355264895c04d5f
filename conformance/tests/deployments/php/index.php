<?php
// One front controller, for the built-in server and for php-fpm. Ended commands are marked by a file, since each
// request is a process of its own.
declare(strict_types=1);

function problem(int $status, string $code, string $title, string $detail, array $more = []): never
{
    http_response_code($status);
    header('Content-Type: application/problem+json');
    if ($status === 401) {
        header('WWW-Authenticate: Bearer');
    }
    echo json_encode([
        'type' => "https://developer.hostup.se/errors/$code",
        'title' => $title,
        'status' => $status,
        'detail' => $detail,
        'code' => $code,
        'instance' => strtok($_SERVER['REQUEST_URI'], '?'),
        'requestId' => 'req_' . bin2hex(random_bytes(13)),
        'timestamp' => gmdate('Y-m-d\TH:i:s\Z'),
    ] + $more, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
    exit;
}

set_exception_handler(fn () => problem(500, 'internal_error', 'Internal server error', 'An unexpected error occurred.'));

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (!is_string($path) || !preg_match('#^/api/v2/vps/([^/]+)/agent/exec$#', $path, $match)) {
    problem(404, 'not_found', 'Not found', 'There is nothing at this path.');
}
if (!in_array($_SERVER['REQUEST_METHOD'], ['GET', 'HEAD'], true)) {
    header('Allow: GET, HEAD');
    problem(405, 'method_not_allowed', 'Method not allowed', 'Use GET.');
}
$scopes = [
    getenv('HOSTUP_API_KEY') => ['read:vm', 'write:vm'],
    getenv('HOSTUP_READ_API_KEY') => ['read:vm'],
];
if (!preg_match('/^Bearer\s+(\S+)$/i', $_SERVER['HTTP_AUTHORIZATION'] ?? '', $bearer) || !isset($scopes[$bearer[1]])) {
    problem(401, 'unauthorized', 'Unauthorized', 'Authentication is required.');
}
$pid = $_GET['pid'] ?? null;
$scope = $pid === null ? 'read:vm' : 'write:vm';
if (!in_array($scope, $scopes[$bearer[1]], true)) {
    problem(403, 'forbidden', 'Forbidden', "The API key lacks the scope $scope.");
}
$id = rawurldecode($match[1]);
if (!in_array($id, [getenv('HOSTUP_VPS_ID'), getenv('HOSTUP_UNAVAILABLE_VPS_ID')], true)) {
    problem(404, 'not_found', 'Not found', 'The VPS could not be found.');
}
header('Content-Type: application/json');
$available = $id === getenv('HOSTUP_VPS_ID');
if ($pid === null) {
    $reason = $available ? null : 'The guest agent is not installed.';
    echo json_encode(['available' => $available, 'reason' => $reason, 'vmRunning' => true]);
    exit;
}
$number = filter_var($pid, FILTER_VALIDATE_INT);
if ($number === false) {
    $item = ['pointer' => '/pid', 'detail' => '`pid` must be an integer.', 'code' => 'invalid_request'];
    problem(400, 'invalid_request', 'Invalid request', 'The query failed validation.', ['errors' => [$item]]);
}
$done = getenv('WORK') . '/done';
if ($available && $number === (int) getenv('HOSTUP_RUNNING_PID')) {
    echo json_encode(['exited' => false]);
} elseif ($available && $number === (int) getenv('HOSTUP_FINISHED_PID') && !file_exists($done)) {
    if ($_SERVER['REQUEST_METHOD'] === 'GET') {
        touch($done);
    }
    echo json_encode(['exited' => true, 'exitCode' => 0, 'stdout' => PHP_VERSION . "\n", 'stderr' => '']);
} else {
    problem(404, 'not_found', 'Not found', 'The command could not be found.');
}
