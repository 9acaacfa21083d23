/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail: libcurl's SMTP waits without a loop for the server's last word on a message, so a thread of the pool does it. One
 * mail goes out after the other, so that a slow server never takes more than one thread. See client.h. Thread of the loop,
 * but work() and on_progress(). */
#include "transport/client_internal.h"

static size_t on_upload(char *p, size_t size, size_t n, void *ctx) {
	ent_client_call *call = ctx;
	size_t left = call->request.mail->message_n - call->sent;
	n = n * size < left ? n * size : left;
	memcpy(p, call->request.mail->message + call->sent, n);
	call->sent += n;
	return n;
}

static int on_progress(void *ctx, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now) {
	(void)down;
	(void)down_now;
	(void)up;
	(void)up_now;
	return atomic_load(&((ent_client_call *)ctx)->abandoned);
}

void ent__client_mail_prepare(ent_client_call *call) {
	const ent_client_mail *mail = call->request.mail;
	CURL *easy = call->easy;
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, call->recipients);
	curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(mail->plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_n);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(easy, CURLOPT_READDATA, call);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L); /* so that the thread says QUIT, and waits, not the loop later on */
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
}

static void work(uv_work_t *job) {
	ent_client_call *call = job->data;
	call->code = curl_easy_perform(call->easy);
}

static void after(uv_work_t *job, int status) {
	ent_client_call *call = job->data;
	ent__client_mailed(call, status == 0 ? call->code : CURLE_ABORTED_BY_CALLBACK);
}

int ent__client_mail_start(uv_loop_t *loop, ent_client_call *call) {
	call->job.data = call;
	call->mailing = true;
	return uv_queue_work(loop, &call->job, work, after);
}
